from gradcli.check.run import check_gradients

__all__ = ["check_gradients"]
