"""The compiled core that every engine drives: decode, finish, fold and encode one state.

It knows integers and tables alone: a feature is rows of the tables in layout.py, so a set of
features is data, and another set needs no compiling.
"""
