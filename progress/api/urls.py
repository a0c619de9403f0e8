"""Being written."""

urlpatterns: list[object] = []
