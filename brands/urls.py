"""Pages about brands and decisions, from the site's root on."""

from __future__ import annotations

from django.urls import path

from brands.pages import brands, decisions, history, review

urlpatterns = [
    path("brands", brands.brand_list, name="brand-list"),
    path("brands/<uuid:brand_id>", brands.brand_page, name="brand-page"),
    path("brands/<uuid:brand_id>/decide", brands.brand_decide, name="brand-decide"),
    path("brands/pictures/<int:logo_id>.png", brands.brand_logo, name="brand-logo"),
    path("review", review.review_page, name="review"),
    path("review/cards", review.review_cards, name="review-cards"),
    path("review/brands", review.review_brands, name="review-brands"),
    path("review/decide", decisions.review_decide, name="review-decide"),
    path("review/effect", decisions.review_effect, name="review-effect"),
    path("review/history", history.history_page, name="review-history"),
]
