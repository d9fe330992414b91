"""A trained network behind HTTP: a page to drop clips on, and `POST /predict`, which answers with
JSON.

uploads (a file that is safe to open) -> answers (the network's answer, and what is drawn) -> app
(HTTP, limits)

It needs the extra `serve`. Uploads lie in a temporary folder while they are answered, and nowhere
else.
"""
