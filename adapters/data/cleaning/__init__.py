"""Cleaning of training rows: one spelling, noise, copies, rows of a test."""

from adapters.data.cleaning.exact import Deduplicate, DeduplicateSettings
from adapters.data.cleaning.leakage import Leakage, LeakageSettings
from adapters.data.cleaning.near import Near, NearSettings
from adapters.data.cleaning.noise import Noise, NoiseSettings
from adapters.data.cleaning.normalise import Normalise, NormaliseSettings, Script
from adapters.data.cleaning.run import Cleaning, Sample, clean
from adapters.data.cleaning.similar import Similar, SimilarSettings

__all__ = [
    "Cleaning",
    "Deduplicate",
    "DeduplicateSettings",
    "Leakage",
    "LeakageSettings",
    "Near",
    "NearSettings",
    "Noise",
    "NoiseSettings",
    "Normalise",
    "NormaliseSettings",
    "Sample",
    "Script",
    "Similar",
    "SimilarSettings",
    "clean",
]
