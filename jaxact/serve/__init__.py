"""HTTP server for a trained network: a web page for clips and the webcam, `POST /predict` and
`POST /live`, which return JSON.

    uploads (checks a file before it is opened) -> predictions (the network's prediction for each
    clip, and drawing, its skeleton) -> app (HTTP, limits)
    live_frame (JPEG, JSON) -> live_session (one camera) -> live (all cameras) -> live_routes (HTTP)

The extra `serve` is needed. Uploads are stored in a temporary folder until they are answered.
"""
