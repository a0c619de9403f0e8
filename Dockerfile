# syntax=docker/dockerfile:1
# One image for web, worker, beat, relay and migrations; compose.yaml says which command each of them runs.

FROM python:3.11-slim-bookworm AS packages
WORKDIR /build
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
# requirements-kafka.lock has what `kafka-sink` needs besides.
ARG REQUIREMENTS=requirements.lock
COPY requirements*.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r "$REQUIREMENTS"

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=smartcourse.settings.production \
    SMARTCOURSE_DATA=/var/lib/smartcourse
# The number is fixed, so that a volume and a security policy can name it.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin smartcourse \
    && install -d -o smartcourse -g smartcourse /var/lib/smartcourse
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/smartcourse
COPY . .
USER 10001
# Production refuses to start without its environment: these values live for this one command, and are in no layer.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_hex(48))')" \
    JWT_SIGNING_KEY="$(python -c 'import secrets; print(secrets.token_hex(48))')" \
    CERTIFICATE_SIGNING_KEY="$(python -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())')" \
    DATA_ENCRYPTION_KEY="$(python -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())')" \
    ALLOWED_HOSTS=build.invalid PUBLIC_URL=https://build.invalid DATABASE_URL=postgres://build.invalid/build \
    REDIS_URL=redis://build.invalid EMAIL_URL=consolemail:// \
    python manage.py collectstatic --noinput --verbosity 0

EXPOSE 8000
# Asked as one of the site's own hosts: a request for another is refused.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-c", "import os, urllib.request as web; host = os.environ['ALLOWED_HOSTS'].split(',')[0].strip().lstrip('.'); web.urlopen(web.Request('http://127.0.0.1:8000/api/v1/health', headers={'Host': host}), timeout=4)"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]
