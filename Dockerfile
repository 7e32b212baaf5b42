# One image for every node. Every call needs a token; the first is made before the first start:
#
#   docker build -t allotment .
#   docker run --rm -v allotment:/data allotment token create --scope admin --space all
#   docker run -p 8080:8080 -v allotment:/data allotment
#
# examples/deploy has compose and Kubernetes; docs/production.md the rest: settings, probes, back-ups.

FROM python:3.13-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE ./
COPY csrc csrc
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && python -m venv /opt/allotment \
    && /opt/allotment/bin/pip install --no-cache-dir "$(ls /wheels/*.whl)[postgres]"

FROM python:3.13-slim-bookworm
COPY --from=build /opt/allotment /opt/allotment
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin allotment \
    && install --directory --owner allotment --group allotment /data
ENV PATH="/opt/allotment/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    ALLOTMENT_HOST=0.0.0.0 \
    ALLOTMENT_DATABASE_URL=/data/allotment.db
USER allotment
# The store of a node on SQLite, the last good catalogs of any node, and exposures.
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:%s/readyz' % os.environ.get('ALLOTMENT_PORT', 8080), timeout=2)"]
ENTRYPOINT ["allotment"]
CMD ["serve"]
