using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Spool.Segments;

/// <summary>What MAIL said beside the sender, as it is written (docs/spool-format.md); left out where it said no more than BODY=8BITMIME.</summary>
/// <param name="Auth">Empty for the null path.</param>
internal sealed record StoredParameters(
    bool Binary, bool Utf8, bool Utf8Header, DsnReturn Ret, string? Envid, string? Auth, bool RequireTls, DateTimeOffset? HoldUntil, StoredDeadline? By)
{
    private static readonly StoredParameters Nothing = new(
        Binary: false, Utf8: false, Utf8Header: false, DsnReturn.Unspecified, Envid: null, Auth: null, RequireTls: false, HoldUntil: null, By: null);

    public static StoredParameters? Of(Envelope envelope)
    {
        var said = envelope.Parameters;
        var stored = new StoredParameters(
            said.Body == BodyType.BinaryMime,
            said.IsUtf8,
            envelope.HasUtf8Header,
            said.Return,
            said.EnvelopeId,
            said.SubmittedBy?.Address,
            said.RequiresTls,
            said.HoldUntil,
            envelope.Deadline is { } by ? new StoredDeadline(by.At, by.IsNotify, by.IsTrace) : null);
        return stored == Nothing ? null : stored;
    }

    public static MailParameters ToParameters(StoredParameters? stored, bool is8Bit, ReplayWords words) => Envelope.Keep(new MailParameters
    {
        Body = stored?.Binary == true ? BodyType.BinaryMime : is8Bit ? BodyType.EightBitMime : BodyType.SevenBit,
        IsUtf8 = stored?.Utf8 == true,
        Return = stored?.Ret ?? DsnReturn.Unspecified,
        EnvelopeId = stored?.Envid,
        SubmittedBy = stored?.Auth switch
        {
            null => null,
            "" => ReversePath.Null,
            var address => new ReversePath(words.Mailbox(address)),
        },
        RequiresTls = stored?.RequireTls == true,
        HoldUntil = stored?.HoldUntil,
    });
}
