"""The two networks that see text: one finds lines on a page, the other reads one line.

It knows where the models are (inside the package `rapidocr`, of which nothing else is used: its
own code opens files, logs and may load from the network) and how they are run: from bytes, in one
thread. It does not know pages or letters.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]  # (height, width, 3), blue first, as cv2 has it

DETECTION = "PP-OCRv6_det_small.onnx"
RECOGNITION = "PP-OCRv6_rec_small.onnx"


@dataclass(frozen=True, slots=True)
class Models:
    """Both networks, loaded.

    Attributes:
        letters: What the second network may answer, by number; 0 is no letter.
    """

    detection: onnxruntime.InferenceSession
    recognition: onnxruntime.InferenceSession
    letters: tuple[str, ...]

    def find(self, pixels: Floats) -> Floats:
        """Return how likely each pixel is text, (height, width), for (1, 3, height, width)."""
        likely: Floats = _run(self.detection, pixels)[0, 0]
        return likely

    def read(self, pixels: Floats) -> Floats:
        """Return how likely each letter is at each place, (place, letter), of one line."""
        likely: Floats = _run(self.recognition, pixels)[0]
        return likely


def load_models() -> Models:
    """Load both networks, in 0.3 s; nothing is opened and no thread started afterwards."""
    recognition = _session(RECOGNITION)
    listed = recognition.get_modelmeta().custom_metadata_map["character"]
    return Models(_session(DETECTION), recognition, ("", *listed.split("\n"), " "))


def _session(name: str) -> onnxruntime.InferenceSession:
    spec = importlib.util.find_spec("rapidocr")
    assert spec is not None
    assert spec.submodule_search_locations
    model = Path(spec.submodule_search_locations[0], "models", name).read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False  # every line has its width
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, pixels: Floats) -> Floats:
    outputs: list[Any] = session.run(None, {session.get_inputs()[0].name: pixels})
    found: Floats = outputs[0]
    return found
