def write_table(r):
    pass
