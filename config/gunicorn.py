"""Gunicorn's settings for every way of running: demo, `make run` and the image."""

import os

bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_WORKERS") or 2)
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 5
control_socket_disable = True
# The path without its query and without link tokens; neither the client's address nor its agent.
logger_class = "config.logs.AccessLogger"
access_log_format = "%(m)s %(U)s %(s)s %(M)sms"
accesslog = "-" if os.environ.get("ACCESS_LOG") == "1" else None
loglevel = "warning"
