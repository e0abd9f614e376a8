from django.urls import path

from dkfds import gallery

app_name = "design"

urlpatterns = [path("", gallery.show, name="gallery")]
