using System.Globalization;
using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>MAIL (RFC 5321 §4.1.1.2) with SIZE (RFC 1870), BODY (RFC 6152) and AUTH (RFC 4954 §5).</summary>
internal static class Mail
{
    public static readonly Verb Row = new("MAIL", Phase.Ready, Needs.Argument | Needs.TlsWhereRequired, "MAIL FROM:<address> [SIZE=octets] [BODY=7BIT|8BITMIME]", HandleAsync);

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct) =>
        Parse(session, argument.Span, out var transaction) is { } objection ? new(new Step(objection)) : AskAsync(session, transaction!, ct);

    private static async ValueTask<Step> AskAsync(SmtpSession session, Transaction transaction, CancellationToken ct)
    {
        if (await session.Server.Policy.OnSenderAsync(session.State, transaction.Sender, ct) is Verdict.Refuse(var reply, _))
            return new Step(reply);
        session.State.Transaction = transaction;
        return new Step(StandardReply.SenderOk, Next: Phase.Mail);
    }

    private static Reply? Parse(SmtpSession session, ReadOnlySpan<byte> argument, out Transaction? transaction)
    {
        transaction = null;
        if (!PathParser.TrySplit(argument, "FROM:"u8, out var path, out var parameters))
            return StandardReply.BadSyntax(Row.Syntax);
        if (PathParser.IsSourceRoute(path))
            return StandardReply.SourceRoute;
        Mailbox? mailbox = null;
        if (!path.IsEmpty && !Mailbox.TryParse(path, out mailbox))
            return StandardReply.BadSender;
        if (ReadParameters(session, parameters, out var size, out var is8Bit) is { } objection)
            return objection;
        transaction = new Transaction(new ReversePath(mailbox), size, is8Bit);
        return null;
    }

    private static Reply? ReadParameters(SmtpSession session, ReadOnlySpan<byte> text, out long? size, out bool is8Bit)
    {
        size = null;
        is8Bit = false;
        var (hasBody, hasAuth) = (false, false);
        if (!text.IsEmpty && !session.State.IsExtended)
            return StandardReply.UnknownParameter;

        var parameters = new EsmtpParameters(text);
        while (parameters.TryNext())
        {
            if (parameters.Is("SIZE"))
            {
                if (size is not null || !TryOctets(parameters.Value, out var octets))
                    return StandardReply.BadParameters;
                if (octets > session.Server.Limits.MessageOctets)
                    return StandardReply.SizeLimit(session.Server.Limits.MessageOctets);
                size = octets;
            }
            else if (parameters.Is("BODY"))
            {
                is8Bit = Ascii.EqualsIgnoreCase(parameters.Value, "8BITMIME"u8);
                if (hasBody || (!is8Bit && !Ascii.EqualsIgnoreCase(parameters.Value, "7BIT"u8)))
                    return StandardReply.UnknownBody;
                hasBody = true;
            }
            else if (parameters.Is("AUTH") && OffersAuth(session))
            {
                if (hasAuth || !IsAuthValue(parameters.Value))
                    return StandardReply.BadParameters;
                hasAuth = true;
            }
            else
            {
                return StandardReply.UnknownParameter;
            }
        }

        return parameters.IsMalformed ? StandardReply.BadParameters : null;
    }

    /// <summary>Any server that advertises AUTH must take the parameter, from anyone (RFC 4954 §5).</summary>
    private static bool OffersAuth(SmtpSession session) => session.State.OffersAuth || session.State.OffersAuthAfterTls;

    private static bool TryOctets(ReadOnlySpan<byte> value, out long octets)
    {
        octets = 0;
        return value.Length is > 0 and <= 20 && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out octets) || (octets = long.MaxValue) > 0);
    }

    /// <summary>An xtext mailbox or <c>&lt;&gt;</c>. No client is trusted to say on whose behalf it sends, so every value counts as <c>&lt;&gt;</c>.</summary>
    private static bool IsAuthValue(ReadOnlySpan<byte> value)
    {
        if (value.SequenceEqual("<>"u8))
            return true;
        Span<byte> decoded = stackalloc byte[Mailbox.MaxLocalPartOctets + 1 + Domain.MaxOctets];
        return XText.TryDecode(value, decoded, out var length) && Mailbox.TryParse(decoded[..length], out _);
    }
}
