/* SPDX-License-Identifier: Apache-2.0 */
/* attestation_root.c - "NVIDIA Device Identity CA", the root of the identities of NVIDIA's GPUs
 * (and of its NVLink switches), as NVIDIA publishes it: github.com/NVIDIA/nvtrust,
 * guest_tools/gpu_verifiers/local_gpu_verifier/src/verifier/certs/verifier_device_root.pem. The
 * SHA-256 of its DER is
 * 102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48.
 *
 * It stands alone in this file so that a test can put a root of its own in its place at link time;
 * there is no option, file or variable that does. */
#include "proof/attestation.h"

const char *pa_attestation_root(void) {
    return "-----BEGIN CERTIFICATE-----\n"
           "MIICCzCCAZCgAwIBAgIQLTZwscoQBBHB/sDoKgZbVDAKBggqhkjOPQQDAzA1MSIw\n"
           "IAYDVQQDDBlOVklESUEgRGV2aWNlIElkZW50aXR5IENBMQ8wDQYDVQQKDAZOVklE\n"
           "SUEwIBcNMjExMTA1MDAwMDAwWhgPOTk5OTEyMzEyMzU5NTlaMDUxIjAgBgNVBAMM\n"
           "GU5WSURJQSBEZXZpY2UgSWRlbnRpdHkgQ0ExDzANBgNVBAoMBk5WSURJQTB2MBAG\n"
           "ByqGSM49AgEGBSuBBAAiA2IABA5MFKM7+KViZljbQSlgfky/RRnEQScW9NDZF8SX\n"
           "gAW96r6u/Ve8ZggtcYpPi2BS4VFu6KfEIrhN6FcHG7WP05W+oM+hxj7nyA1r1jkB\n"
           "2Ry70YfThX3Ba1zOryOP+MJ9vaNjMGEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8B\n"
           "Af8EBAMCAQYwHQYDVR0OBBYEFFeF/4PyY8xlfWi3Olv0jUrL+0lfMB8GA1UdIwQY\n"
           "MBaAFFeF/4PyY8xlfWi3Olv0jUrL+0lfMAoGCCqGSM49BAMDA2kAMGYCMQCPeFM3\n"
           "TASsKQVaT+8S0sO9u97PVGCpE9d/I42IT7k3UUOLSR/qvJynVOD1vQKVXf0CMQC+\n"
           "EY55WYoDBvs2wPAH1Gw4LbcwUN8QCff8bFmV4ZxjCRr4WXTLFHBKjbfneGSBWwA=\n"
           "-----END CERTIFICATE-----\n";
}
