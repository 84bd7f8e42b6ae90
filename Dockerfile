# graphite-pager in a container: docs/how-to/docker.md says how to use it.
ARG PYTHON=3.13.9-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY graphitepager graphitepager
# What is installed are wheels: there is no compiler, and none is needed. The versions stand in pyproject.toml.
# hadolint ignore=DL3013
RUN python -m venv --without-pip /opt/graphite-pager \
  && pip --python /opt/graphite-pager/bin/python install --no-cache-dir --only-binary :all: '.[apprise,mysql,postgres]'

FROM python:${PYTHON}
# The numbers are fixed, so that files in a volume keep their owner when the image changes.
RUN groupadd --gid 10001 pager \
  && useradd --uid 10001 --gid pager --home-dir /data --no-create-home --shell /usr/sbin/nologin pager \
  && install --directory --owner pager --group pager --mode 0700 /data
COPY --from=build /opt/graphite-pager /opt/graphite-pager
ENV PATH=/opt/graphite-pager/bin:$PATH \
    DATABASE_URL=sqlite:////data/graphite-pager.db
USER 10001:10001
# alerts.yml is expected here, and may be read-only; what changes is in /data.
WORKDIR /etc/graphite-pager
VOLUME /data
# Of `graphite-pager web`, with WEB_BIND=0.0.0.0:8000.
EXPOSE 8000
# Whether it polls in time, by its database. It takes half a second of one core.
HEALTHCHECK --interval=1m --timeout=20s --start-period=2m --retries=2 CMD ["graphite-pager", "healthcheck"]
ENTRYPOINT ["graphite-pager"]
CMD ["run"]
