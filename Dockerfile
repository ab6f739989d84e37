FROM python:3.11-slim AS packages
COPY requirements.txt requirements-uv.txt /
RUN python -m venv /venv \
    && pip install --no-cache-dir --require-hashes -r /requirements-uv.txt \
    && uv pip sync --no-cache --compile-bytecode --python /venv/bin/python --require-hashes /requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ENV_FILE= \
    STATIC_MANIFEST=1 \
    BIND=0.0.0.0:8000
RUN useradd --system --uid 10001 --create-home afterglow
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
# Whoever runs it may not write beside it: each start would compile everything.
RUN python -m compileall -q clinic patients appointments reminders config
# The build needs settings that parse; nothing is contacted and none of them stays in the image.
RUN SECRET_KEY=of-the-image-build PUBLIC_URL=http://localhost EMAIL_URL=smtp://localhost \
    DATABASE_URL=postgres://localhost/x REDIS_URL=redis://localhost \
    python manage.py collectstatic --no-input
RUN install -d -o afterglow -m 700 /private
USER afterglow
EXPOSE 8000
CMD ["gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
