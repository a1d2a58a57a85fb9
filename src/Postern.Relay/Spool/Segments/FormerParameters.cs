using System.Collections.Immutable;
using Postern.Relay.Spool.Segments.Recovery;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// What MAIL and RCPT said, as envelopes of version 1 and 2 hold it: one member for each parameter. Only read; without them, nothing was
/// said beyond BODY=8BITMIME.
/// </summary>
internal static class FormerParameters
{
    public static MailParameters Read(OfMail? mail, bool is8Bit, DateTimeOffset arrived, ReplayWords words) => new MailParameters
    {
        Body = mail?.Binary == true ? BodyType.BinaryMime : is8Bit ? BodyType.EightBitMime : BodyType.SevenBit,
        IsUtf8 = mail?.Utf8 == true,
        Return = mail?.Ret ?? DsnReturn.Unspecified,
        EnvelopeId = mail?.Envid,
        SubmittedBy = mail?.Auth switch
        {
            null => null,
            "" => ReversePath.Null,
            var address => new ReversePath(words.Mailbox(address)),
        },
        RequiresTls = mail?.RequireTls == true,
        HoldUntil = mail?.HoldUntil,
        DeliverBy = mail?.By is { } by ? new DeliverBy(by.At - arrived, by.Notify, by.Trace) : null,
    }.Shared();

    /// <exception cref="FormatException">Not one for each recipient.</exception>
    public static ImmutableArray<RecipientParameters> Read(OfRcpt[]? rcpt, int recipients)
    {
        if (rcpt is null)
            return [];
        if (rcpt.Length != recipients)
            throw new FormatException($"parameters of {rcpt.Length} recipients for a message of {recipients}");
        return
        [
            .. rcpt.Select(static r => r is { Notify: DsnNotify.Unspecified, OrcptType: null }
                ? RecipientParameters.None
                : new RecipientParameters
                {
                    Notify = r.Notify,
                    OriginalRecipient = r.OrcptType is null ? null : new OriginalRecipient(r.OrcptType, r.Orcpt ?? string.Empty),
                }),
        ];
    }

    internal sealed record OfMail
    {
        public bool Binary { get; init; }

        public bool Utf8 { get; init; }

        public bool Utf8Header { get; init; }

        public DsnReturn Ret { get; init; }

        public string? Envid { get; init; }

        /// <summary>Empty for the null path.</summary>
        public string? Auth { get; init; }

        public bool RequireTls { get; init; }

        public DateTimeOffset? HoldUntil { get; init; }

        public Deadline? By { get; init; }
    }

    /// <param name="OrcptType">Null without ORCPT=.</param>
    internal sealed record OfRcpt(DsnNotify Notify, string? OrcptType, string? Orcpt);

    internal sealed record Deadline(DateTimeOffset At, bool Notify, bool Trace);
}
