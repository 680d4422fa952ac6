"""Paths of the websockets."""

from __future__ import annotations

from django.urls import path

from brands.consumers import ReviewConsumer

websocket_urlpatterns = [path("ws/review", ReviewConsumer.as_asgi(), name=ReviewConsumer.route)]
