"""Ready programs, which `gradcli examples` lists, shows and runs."""
