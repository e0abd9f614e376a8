"""The five principles of Ballerup Kommune, one file each: its columns beside its checks.

Source: "Fem principper for inddragelse af borgerne" and the inspiration catalogue of 25 May 2020.
"""
