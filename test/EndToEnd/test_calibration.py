"""Asks SCALE-Sim for the cycles with which docs/Calibration.md compares.

Its analytical model is asked, without the memory system: that never stalls here
and does not run with today's NumPy.
"""

import pathlib
import re

import numpy as np
import pytest
from scalesim.compute.systolic_compute_ws import systolic_compute_ws
from scalesim.scale_config import scale_config

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "Calibration.md"
# | rows x K x N | tiles | SCALE-Sim's cycles | ...
ROW = re.compile(r"^\| (\d+) × (\d+) × (\d+) \| (\d+) \| (\d+) \|", re.MULTILINE)
ROWS = [tuple(map(int, row)) for row in ROW.findall(DOCS.read_text(encoding="utf-8"))]


def test_twenty_shapes():
    assert len(set(ROWS)) == 20


@pytest.mark.parametrize(("m", "k", "n", "tiles", "cycles"), ROWS)
def test_scale_sim_takes_the_cycles_of_the_docs(m, k, n, tiles, cycles):
    config = scale_config()
    config.array_rows = config.array_cols = 128
    config.valid_conf_flag = True
    model = systolic_compute_ws()
    model.set_params(
        config_obj=config,
        ifmap_op_mat=np.zeros((m, k)),
        filter_op_mat=np.zeros((k, n)),
        ofmap_op_mat=np.zeros((m, n)),
    )
    model.create_demand_matrices()
    # A row for each cycle; the package reports the number of the last, from 0.
    demands = model.get_demand_matrices()
    assert {len(demand) for demand in demands} == {cycles + 1}
    assert len(model.mapping_efficiency_per_fold) == tiles
