"""Owns the compiled core that every engine drives: decode, finish, fold, encode one state.

It knows integers and tables alone: what a feature is comes as rows of the tables in `layout`, so a
set of features is data, and another set needs no compiling.
"""
