"""Pages about brands and decisions, from the site's root on."""

from __future__ import annotations

from django.urls import path

from brands.pages import decisions, history, review

urlpatterns = [
    path("review", review.review_page, name="review"),
    path("review/cards", review.review_cards, name="review-cards"),
    path("review/brands", review.review_brands, name="review-brands"),
    path("review/decide", decisions.review_decide, name="review-decide"),
    path("review/effect", decisions.review_effect, name="review-effect"),
    path("review/history", history.history_page, name="review-history"),
]
