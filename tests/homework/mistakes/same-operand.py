p = x*y
q = np.sin(p)
f = p*q
df_dp = q
df_dq = q
df_dp += df_dq*np.cos(p)
df_dx = df_dp*y
df_dy = df_dp*x
