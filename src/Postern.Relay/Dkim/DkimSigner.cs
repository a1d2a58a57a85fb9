using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Message;
using Postern.Smtp.Session;

namespace Postern.Relay.Dkim;

/// <summary>
/// Signs messages as they are sent (RFC 6376, RFC 8463): one field for each active key of the domain that the author is of, or of one
/// above it; else of the domain that signs for the tenant or the login. The body is read once and never held. The same message has the
/// same signatures in every attempt. Mail that strangers send to domains of ours is not signed, nor for an author as whom its login may
/// not send.
/// </summary>
public sealed class DkimSigner : IContentDecorator
{
    private const int PieceOctets = 32 * 1024;
    private const int MostDomainsAbove = 5;

    private readonly DkimKeyRing keys;
    private volatile DkimOptions options;

    /// <param name="tell">Takes a word for the log and its detail.</param>
    internal DkimSigner(SqliteDirectory directory, DkimOptions options, Action<string, string> tell) =>
        (keys, this.options) = (new DkimKeyRing(directory, tell), options);

    /// <summary>Counts what comes of it; null: nobody does.</summary>
    internal DeliveryInstruments? Instruments { private get; init; }

    internal DkimKeyRing Keys => keys;

    /// <summary>Goes on with other settings.</summary>
    public void Apply(DkimOptions changed) => options = changed;

    /// <inheritdoc/>
    public ValueTask<Decoration> HeaderAsync(
        Envelope envelope, ReadOnlyMemory<byte> before, ISpoolContent content, CancellationToken ct) =>
        Instruments is { CountsSignatures: true } counted
            ? CountedAsync(SignAsync(envelope, before, content, ct), counted)
            : SignAsync(envelope, before, content, ct);

    private static async ValueTask<Decoration> CountedAsync(ValueTask<Decoration> signing, DeliveryInstruments counted)
    {
        var outcome = "failed";
        try
        {
            var signed = await signing.ConfigureAwait(false);
            outcome = signed.SignedBy is null ? "unsigned" : "signed";
            return signed;
        }
        finally
        {
            counted.Signed(outcome);
        }
    }

    private async ValueTask<Decoration> SignAsync(
        Envelope envelope, ReadOnlyMemory<byte> before, ISpoolContent content, CancellationToken ct)
    {
        var how = options;
        if (!await MaySignAsync(envelope, how, ct).ConfigureAwait(false))
            return default;
        using var head = await ContentHead.ReadAsync(before, content, ct).ConfigureAwait(false);
        var active = await ChooseAsync(envelope, AuthorOf(envelope, head.Header), how, ct).ConfigureAwait(false);
        if (active.IsEmpty)
            return default;
        var fields = new ArrayBufferWriter<byte>(head.Header.Length);
        if (SignedFields.Write(fields, head.Header, how.Header) is not { } names)
            return default;
        var body = await HashBodyAsync(head, content, how.Body, envelope.Parameters.Body == BodyType.BinaryMime, ct).ConfigureAwait(false);
        var text = new StringBuilder();
        foreach (var key in active)
            text.Append(SignatureField.Write(key, names, fields.WrittenSpan, body, how, envelope.ArrivedAt));
        return new Decoration(Encoding.ASCII.GetBytes(text.ToString())) { SignedBy = NamesOf(active) };
    }

    /// <summary>
    /// The keys that would sign a message whose author is of this domain, as <see cref="Decoration.SignedBy"/> names them; null for none.
    /// </summary>
    /// <exception cref="DecorationUnavailableException">It is not sent unsigned, and cannot be signed.</exception>
    internal async ValueTask<string?> WouldSignAsync(Envelope envelope, string? author, CancellationToken ct)
    {
        var how = options;
        return await MaySignAsync(envelope, how, ct).ConfigureAwait(false)
            && await ChooseAsync(envelope, author, how, ct).ConfigureAwait(false) is { IsEmpty: false } active
                ? NamesOf(active)
                : null;
    }

    private async ValueTask<bool> MaySignAsync(Envelope envelope, DkimOptions how, CancellationToken ct) =>
        !envelope.IsInbound && (await keys.HasAnyAsync(ct).ConfigureAwait(false) || !how.Required.IsEmpty);

    private static string NamesOf(ImmutableArray<ActiveKey> active) =>
        active is [var only] ? only.RecordName : string.Join(' ', active.Select(static key => key.RecordName));

    /// <summary>The domain of the only From field; null where it says nothing that counts here.</summary>
    private static string? AuthorOf(Envelope envelope, ReadOnlySpan<byte> header)
    {
        if (envelope.HasForeignAuthor)
            return null;
        string? author = null;
        var count = 0;
        var fields = new HeaderSection(header);
        while (fields.TryNext())
        {
            if (fields.Is("From") && ++count == 1)
                author = MailboxList.DomainOf(header[fields.Start..fields.End]) is { Literal: null, Text: var text } ? text : null;
        }

        return count == 1 ? author : null;
    }

    private async ValueTask<ImmutableArray<ActiveKey>> ChooseAsync(
        Envelope envelope, string? author, DkimOptions how, CancellationToken ct)
    {
        var domain = author;
        for (var above = 0; domain is not null && above <= MostDomainsAbove; above++)
        {
            if (await keys.FindAsync(domain, ct).ConfigureAwait(false) is { IsEmpty: false } found)
                return found;
            domain = Above(domain);
        }

        if (author is not null && how.Required.Any(required => IsIn(author, required)))
            throw new DecorationUnavailableException(
                $"not sent unsigned: dkim.required names {author}, and it has no active key: postern dkim create, then activate");
        foreach (var fallback in how.Fallback)
        {
            if (fallback.Fits(envelope.Tenant, envelope.Login)
                && await keys.FindAsync(fallback.Domain, ct).ConfigureAwait(false) is { IsEmpty: false } found)
                return found;
        }

        return [];
    }

    /// <summary>The domain above, unless that is a top-level domain.</summary>
    internal static string? Above(string domain) =>
        domain[(domain.IndexOf('.', StringComparison.Ordinal) + 1)..] is var above
            && above.Length < domain.Length
            && above.Contains('.', StringComparison.Ordinal)
                ? above
                : null;

    private static bool IsIn(string domain, string wanted) =>
        domain == wanted || (domain.Length > wanted.Length && domain.EndsWith(wanted, StringComparison.Ordinal)
            && domain[^(wanted.Length + 1)] == '.');

    private static async ValueTask<byte[]> HashBodyAsync(
        ContentHead head, ISpoolContent content, DkimCanonicalization how, bool isBinary, CancellationToken ct)
    {
        using var hash = new BodyHash(how, isBinary);
        hash.Append(head.BodyRead);
        var offset = head.Next;
        if (offset < content.Length)
        {
            var piece = ArrayPool<byte>.Shared.Rent((int)Math.Min(PieceOctets, content.Length - offset));
            try
            {
                for (int read; (read = await content.ReadAsync(offset, piece, ct).ConfigureAwait(false)) > 0; offset += read)
                    hash.Append(piece.AsSpan(0, read));
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(piece);
            }
        }

        var sha256 = new byte[SHA256.HashSizeInBytes];
        hash.Finish(sha256);
        return sha256;
    }
}
