"""A simulated patent corpus for demonstrations and tests. Nothing in it is a real patent, firm or person.

Technologies are real IPC subclasses with real symbols; everything else comes from a seeded simulation in half-year
steps. A pair of subclasses never shares a patent before a *link* between them opens. Each link has a stated cause:

=========  ==========================================================================================================
outset     related technologies that are linked from the first years: the network the forecast starts from
closure    triadic closure: unlinked pairs that share linked neighbours, drawn by their Adamic-Adar score
citation   knowledge flows first: both technologies cite each other more and more, joint patents follow
drift      vocabularies approach first: each borrows the other's words more and more, joint patents follow
firm       a firm that holds patents in both technologies combines them
noise      any two technologies, by chance
=========  ==========================================================================================================

``generator.generate`` makes the corpus, ``generator.planted`` tells which links were planted, why and from when.
"""
