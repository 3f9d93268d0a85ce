"""Policy: how a score becomes an outcome with reasons; knows neither models nor stores."""
