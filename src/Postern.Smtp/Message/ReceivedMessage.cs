using System.Net;
using System.Runtime.InteropServices;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Message;

/// <summary>One message as it came: the envelope, who sent it, and the content. It stays valid as long as somebody holds it.</summary>
public sealed record ReceivedMessage
{
    /// <summary>A fresh name for this message: 32 hexadecimal digits, fit for a file name.</summary>
    public required string Id { get; init; }

    /// <summary>Where failures go; null path for a bounce.</summary>
    public required ReversePath Sender { get; init; }

    /// <summary>Accepted recipients, at least one. They need not be those in the header section.</summary>
    public required IReadOnlyList<Mailbox> Recipients { get; init; }

    /// <summary>
    /// Header section and body, octet for octet as the client sent it, dot-stuffing undone. Nothing was added, not even Received.
    /// </summary>
    public required ReadOnlyMemory<byte> Content { get; init; }

    /// <summary>On whose behalf the client sent it, in the store's spelling; null without a login.</summary>
    public string? Login { get; init; }

    /// <summary>What was remembered with that login, as in <see cref="Session.SessionState.LoginData"/>.</summary>
    public object? LoginData { get; init; }

    /// <summary>The client's address.</summary>
    public required IPAddress ClientAddress { get; init; }

    /// <summary>The name of the listener that took it.</summary>
    public required string Listener { get; init; }

    /// <summary>True when it came under TLS.</summary>
    public bool IsProtected { get; init; }

    /// <summary>Its name and its envelope; nothing of the content or of what is remembered with the login.</summary>
    public override string ToString() => $"{Id} from <{Sender.Address}> to {string.Join(", ", Recipients)}";

    /// <summary>The content as a read-only stream, for parsers.</summary>
    public Stream OpenContent() => MemoryMarshal.TryGetArray(Content, out var array)
        ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
        : new MemoryStream(Content.ToArray(), writable: false);
}
