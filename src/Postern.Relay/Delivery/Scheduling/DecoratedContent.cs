using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>The content of a message behind header fields that were made for it.</summary>
internal sealed class DecoratedContent(ReadOnlyMemory<byte> header, ISpoolContent content) : ISpoolContent
{
    public long Length => header.Length + content.Length;

    /// <summary>Asks each in turn.</summary>
    public static async Task<Decoration> MakeAsync(
        ImmutableArray<IContentDecorator> decorators, Envelope envelope, ISpoolContent content, CancellationToken ct)
    {
        var made = default(Decoration);
        foreach (var decorator in decorators)
            made = made.Under(await decorator.HeaderAsync(envelope, made.Fields, content, ct).ConfigureAwait(false));
        return made;
    }

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
    {
        if (offset >= header.Length)
            return content.ReadAsync(offset - header.Length, buffer, ct);
        var part = header[(int)offset..];
        part = part[..Math.Min(part.Length, buffer.Length)];
        part.CopyTo(buffer);
        return new(part.Length);
    }

    public void Dispose() => content.Dispose();
}
