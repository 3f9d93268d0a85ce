"""ISO 4217 codes of currencies with their exponents; exchange rates are in rates.py.

Kept here and not taken from a library: `domain` imports no vendor, and a library's release must not
change the digest of a recorded transaction.
"""

from collections.abc import Mapping
from types import MappingProxyType

_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

# Withdrawn since 2010: history still holds them. ZWL and VEF as they were last defined.
_WITHDRAWN_TWO = "ANG BGN CUC EEK HRK LTL LVL MRO SLL STD TMM VEF ZMK ZWL"
_WITHDRAWN_ZERO = "BYR"

EXPONENTS: Mapping[str, int] = MappingProxyType(
    {
        code: exponent
        for exponent, codes in (
            (2, _TWO),
            (0, _ZERO),
            (3, _THREE),
            (4, _FOUR),
            (2, _WITHDRAWN_TWO),
            (0, _WITHDRAWN_ZERO),
        )
        for code in codes.split()
    }
)
"""Decimal places of the minor unit by code; precious metals and test codes have none."""
