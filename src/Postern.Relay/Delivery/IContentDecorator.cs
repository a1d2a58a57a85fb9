using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery;

/// <summary>
/// Puts header fields before a message when it is delivered, such as a signature over it. Asked once a message and attempt, whatever number
/// of next hops it goes to: all of them are sent the same. One file, and one line in <see cref="DeliveryOptions.Decorators"/>.
/// </summary>
public interface IContentDecorator
{
    /// <summary>
    /// Header fields in their order, each ended by CRLF, and who signed in them; empty for none. An exception counts as an error of this
    /// server: the message waits and is not sent without them. <see cref="DecorationUnavailableException"/> is one whose words are fit for
    /// the operator.
    /// </summary>
    /// <param name="before">The fields of the decorators that were asked before, which stand above the content.</param>
    /// <param name="content">What was accepted. It stays open until the answer, and may be read more than once.</param>
    ValueTask<Decoration> HeaderAsync(Envelope envelope, ReadOnlyMemory<byte> before, ISpoolContent content, CancellationToken ct);
}

/// <summary>What is put before a message.</summary>
/// <param name="Fields">Header fields in their order, each ended by CRLF; empty for none.</param>
public readonly record struct Decoration(ReadOnlyMemory<byte> Fields)
{
    /// <summary>
    /// The keys that signed in them, each by the name of the DNS record that has it, separated by spaces, for the log; null for none. One
    /// that sealed (RFC 8617) stands behind <c>arc:</c>.
    /// </summary>
    public string? SignedBy { get; init; }

    public static implicit operator Decoration(ReadOnlyMemory<byte> fields) => new(fields);

    public static implicit operator Decoration(byte[] fields) => new(fields);

    /// <summary>The fields of a later one stand above those of an earlier one, as those of servers that a message passes do.</summary>
    internal Decoration Under(Decoration later) => Fields.IsEmpty && SignedBy is null
        ? later
        : new Decoration((byte[])[.. later.Fields.Span, .. Fields.Span])
        {
            SignedBy = later.SignedBy is null ? SignedBy : SignedBy is null ? later.SignedBy : $"{later.SignedBy} {SignedBy}",
        };
}

/// <summary>
/// What is to stand before a message cannot be made now, for a cause around this server. The message waits as for a next hop that does not
/// answer, and is not sent without it; the text stands in the log and in the queue as the reason.
/// </summary>
public sealed class DecorationUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
