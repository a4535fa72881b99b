# Two stages: the first installs, the second holds only what runs. Neither servers nor tools are in it: PostgreSQL and
# Redis are given by url. Needs no network at run time but to the vendors.
#
# The base image by tag, so that a build has its newest security fixes; by digest where the argument says so
# (docs/running.md, "Images").
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE} AS build
WORKDIR /srv/contactsync
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# In its own layer: it changes with the lock, not with the code.
COPY requirements-runtime.lock ./
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --quiet --require-hashes --only-binary :all: --requirement requirements-runtime.lock

# The packages stay a folder beside alembic/, where the migrations are looked for; the installation only points at it.
COPY pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY models models
COPY worker worker
COPY webhooks webhooks
RUN .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m pip uninstall --quiet --yes setuptools pip \
    && python -m compileall -q alembic models worker webhooks

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="contactsync" org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 contactsync \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /srv/contactsync --shell /usr/sbin/nologin contactsync
# Owned by root: what runs may not change what it runs.
COPY --from=build /srv/contactsync /srv/contactsync
WORKDIR /srv/contactsync
ENV PATH=/srv/contactsync/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8080
CMD ["contactsync", "--help"]
