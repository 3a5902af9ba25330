"""The servers around a PKI, in one process: OCSP, CRLs, EST enrolment and contract provisioning, for laboratories."""
