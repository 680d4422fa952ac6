"""Models on a host of their own: a server (``python -m detect.inference``) and the client that workers use."""
