"""The judge: what formulas cannot say of an opportunity, asked of language models, on evidence, and measured."""
