package io.pbft.protocol;

/**
 * What travels in one frame: a signed statement, or a record that nobody signs and that is believed only as far as its
 * contents prove themselves and as the connection proves its sender.
 */
public sealed interface Message
        permits Signed,
                Proposal,
                Reply,
                ReplyFetch,
                Refusal,
                ReadRequest,
                ReadReply,
                Status,
                Decision,
                StableProof,
                BatchFetch,
                BatchBody,
                StateFetch,
                StateNodes {
    MessageType type();
}
