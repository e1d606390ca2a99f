"""Text to vectors: the encoders, and the store that keeps what they made."""

from pipeline.encoders.base import Encoder, load_encoder, patent_texts
from pipeline.encoders.cache import EmbeddingCache, EncodingReport, encode_cached

__all__ = ["EmbeddingCache", "Encoder", "EncodingReport", "encode_cached", "load_encoder", "patent_texts"]
