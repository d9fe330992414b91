"""HTTP server for a trained network: a web page for clips, and `POST /predict`, which returns JSON.

    uploads (checks a file before it is opened) -> predictions (the network's prediction for each
    clip, and drawing, its skeleton) -> app (HTTP, limits)

The extra `serve` is needed. Uploads are stored in a temporary folder until they are answered.
"""
