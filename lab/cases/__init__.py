"""The conformance cases of ISO 15118-2 by name: what each does to a system under test, and what it has to see.

The ids and the requirements they stand for are public (`catalogue`); what the cases do is told in our own words, after
our own reading where the ids alone say too little (`station_table`, `vehicle_table`).
"""
