"""Drawing of limbs."""

import numpy as np

from jaxact.datasets.synthetic import drawing


def test_a_limb_colours_the_pixels_within_its_radius():
    picture = np.zeros((20, 30, 3))
    start, end, radius = np.array([5.0, 4.0]), np.array([22.0, 13.0]), 3.0
    drawing.draw_limb(picture, start, end, radius, np.full(3, 100.0))
    y, x = np.mgrid[:20, :30] + 0.5
    line = np.linspace(0, 1, 2001)[:, None, None]
    distance = np.hypot(
        x - start[0] - line * (end - start)[0], y - start[1] - line * (end - start)[1]
    ).min(0)
    np.testing.assert_allclose(
        picture[..., 1], 100 * (radius - distance + 0.5).clip(0, 1), atol=0.1
    )
    drawing.draw_limb(
        picture, start - 100, end - 200, radius, np.full(3, 7.0)
    )  # beyond the picture
    assert picture.max() == 100
