"""`jaxact serve`: a trained network as a page in the browser and an HTTP endpoint."""

import argparse
import importlib.util
import socket
from typing import Any

from jaxact.cli.command import POSE, checkpoint_options, command, start_jax
from jaxact.errors import UserError, missing_extra


def serve(subparsers: Any) -> None:
    """`jaxact serve`"""
    parser = command(
        subparsers,
        "serve",
        _run_serve,
        "serve a web page that classifies clips and the webcam, and POST /predict",
        "jaxact serve --checkpoint runs/ntu60",
        "jaxact serve --checkpoint runs/jhmdb --pose mediapipe:pose_landmarker_full.task",
        "jaxact serve --checkpoint runs/ucf --port 8080 --max-mb 200",
    )
    checkpoint_options(parser)
    parser.add_argument(
        "--pose",
        metavar="SPEC",
        help=f"videos and the webcam, for a network that reads skeletons: {POSE}",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0: all (default: %(default)s)",
    )
    parser.add_argument(
        "--port", type=int, default=8000, help="0: any free port (default: %(default)s)"
    )
    parser.add_argument(
        "--max-mb",
        type=float,
        default=64.0,
        metavar="MB",
        help="largest upload (default: %(default)g)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="limit of an upload, of its wait, and of its prediction (default: %(default)g)",
    )
    parser.add_argument(
        "--cameras",
        type=int,
        default=4,
        metavar="N",
        help="webcams that are processed at the same time (default: %(default)s)",
    )


def _run_serve(options: argparse.Namespace) -> None:
    for package in ("starlette", "uvicorn", "python_multipart"):
        if importlib.util.find_spec(package) is None:
            raise missing_extra(package, "serve", "serving")
    for name in ("max_mb", "timeout"):
        if not getattr(options, name) > 0:
            raise UserError(
                f"--{name.replace('_', '-')} is {getattr(options, name):g}; wanted a number above 0"
            )
    if options.cameras < 1:
        raise UserError(f"--cameras is {options.cameras}; wanted a whole number from 1")
    if not 0 <= options.port < 1 << 16:
        raise UserError(f"--port is {options.port}; wanted a number from 0 to 65535")
    listener = _listen(options.host, options.port)
    with listener:
        start_jax()
        import uvicorn

        from jaxact.inference import predictor
        from jaxact.serve import app, estimator_pool, predictions

        net = predictor.load(options.checkpoint, step=options.step, select=options.select)
        pool = None
        if options.pose is not None:
            pool = estimator_pool.open_pool(options.pose, net)
        predictions.warm_up(net)
        limits = app.Limits(
            max_bytes=int(options.max_mb * 1e6), timeout=options.timeout, sessions=options.cameras
        )
        served = app.build(net, limits, hosts=app.allowed_hosts(options.host), pool=pool)
        port = listener.getsockname()[1]
        host = "localhost" if options.host == "127.0.0.1" else options.host
        print(
            f"http://{host}:{port} answers with {options.checkpoint}, step {net.net.step}; "
            "Ctrl-C ends",
            flush=True,
        )
        settings = uvicorn.Config(served, log_level="warning", timeout_graceful_shutdown=2)
        uvicorn.Server(settings).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """Binds a socket before the network is loaded, so that a port in use is reported at once."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        reason = str(error.strerror or error).partition(" (while attempting")[0]
        raise UserError(
            f"cannot listen on {host}:{port}: {reason}; give another --host or --port"
        ) from error
