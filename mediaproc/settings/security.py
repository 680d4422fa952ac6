"""Keys, hosts, cookies. Nothing here has a default that would let a stranger in."""

from __future__ import annotations

import os
from pathlib import Path

from mediaproc import env

SECRET_KEY = env.text("MEDIAPROC_SECRET_KEY") or env.secret("secret_key")

ALLOWED_HOSTS = env.words("MEDIAPROC_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.words("MEDIAPROC_ORIGINS")

# behind a proxy that speaks HTTPS; off by default, for a first run is plain HTTP on this machine
_https = env.flag("MEDIAPROC_HTTPS", default=False)
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
SECURE_SSL_REDIRECT = False  # the proxy's work
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "mediaproc.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

# folders whose videos may be named in requests; without one only uploads and the bucket are taken
ROOTS = [Path(text).expanduser() for text in env.words("MEDIAPROC_ROOTS", separator=os.pathsep)]
