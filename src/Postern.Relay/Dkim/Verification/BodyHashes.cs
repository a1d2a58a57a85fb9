using System.Buffers;
using System.Security.Cryptography;
using Postern.Relay.Spool;

namespace Postern.Relay.Dkim.Verification;

/// <summary>The hashes of one body that signatures are over, each made once, all in one reading.</summary>
internal sealed class BodyHashes
{
    /// <summary>Hashes of a message that strangers may ask for: each costs as much as the body is long.</summary>
    private const int Most = 4;

    private const int PieceOctets = 32 * 1024;

    private readonly Dictionary<(DkimCanonicalization How, long? Length), byte[]?> hashes = [];

    /// <summary>Asks for a hash before the reading; false where there are too many.</summary>
    public bool TryAsk(DkimCanonicalization how, long? length) =>
        hashes.ContainsKey((how, length)) || (hashes.Count < Most && hashes.TryAdd((how, length), null));

    /// <summary>
    /// SHA-256 of the body, or of its first octets; null where it has fewer than that (RFC 6376 §3.5), or nobody asked.
    /// </summary>
    public byte[]? Of(DkimCanonicalization how, long? length) => hashes.GetValueOrDefault((how, length));

    /// <param name="isBinary">As <see cref="BodyHash"/>.</param>
    public async ValueTask ReadAsync(ContentHead head, ISpoolContent content, bool isBinary, CancellationToken ct)
    {
        (DkimCanonicalization How, long? Length)[] asked = [.. hashes.Keys];
        BodyHash[] making = [.. asked.Select(a => new BodyHash(a.How, isBinary, a.Length))];
        var piece = ArrayPool<byte>.Shared.Rent(PieceOctets);
        try
        {
            foreach (var hash in making)
                hash.Append(head.BodyRead);
            var offset = head.Next;
            for (int read;
                offset < content.Length && (read = await content.ReadAsync(offset, piece, ct).ConfigureAwait(false)) > 0;
                offset += read)
            {
                foreach (var hash in making)
                    hash.Append(piece.AsSpan(0, read));
            }

            for (var i = 0; i < making.Length; i++)
            {
                var sha256 = new byte[SHA256.HashSizeInBytes];
                making[i].Finish(sha256);
                hashes[asked[i]] = making[i].IsShort ? null : sha256;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
            foreach (var hash in making)
                hash.Dispose();
        }
    }
}
