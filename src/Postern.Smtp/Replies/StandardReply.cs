using System.Globalization;
using Postern.Sasl;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Replies;

/// <summary>Every reply of this server that does not come from a policy or a store, on one page.</summary>
public static class StandardReply
{
    /// <summary>To a login that failed, in the protocol's own words; the only place where errors become replies.</summary>
    public static Reply Of(SaslError error) => error switch
    {
        SaslError.TemporaryFailure => StoreUnavailable,
        SaslError.TooMany => TooManyFailedLogins,
        SaslError.Malformed => MalformedAuth,
        SaslError.TooWeak => MechanismTooWeak,
        SaslError.TransitionNeeded => TransitionNeeded,
        _ => BadCredentials,
    };

#pragma warning disable CS1591 // each says itself what it says
    // 2xx
    public static Reply Ok { get; } = Make(250, (2, 0, 0), "Ok");
    public static Reply SenderOk { get; } = Make(250, (2, 1, 0), "Ok");
    public static Reply RecipientOk { get; } = Make(250, (2, 1, 5), "Ok");
    public static Reply Bye { get; } = Make(221, (2, 0, 0), "Bye");
    public static Reply ReadyForTls { get; } = Make(220, (2, 0, 0), "Ready to start TLS");
    public static Reply Authenticated { get; } = Make(235, (2, 7, 0), "Authentication successful");
    public static Reply CannotVerify { get; } = Make(252, (2, 5, 2), "Cannot VRFY user, but will take mail for it if you may send it");

    // 354
    public static Reply StartMailInput { get; } = new(354, status: null, "End data with <CR><LF>.<CR><LF>");

    // 421: the connection closes
    public static Reply TooManyConnections { get; } = Make(421, (4, 3, 2), "Too many connections, try again later");
    public static Reply TooManyFromAddress { get; } = Make(421, (4, 7, 0), "Too many connections from your address, try again later");
    public static Reply Busy { get; } = Make(421, (4, 3, 2), "Server is busy, try again later");
    public static Reply UnderLoad { get; } = Make(421, (4, 3, 2), "Server is under load and waits for a shorter time, try again later");
    public static Reply NoMessageTooLong { get; } = Make(421, (4, 4, 2), "No message for too long, closing the connection");
    public static Reply IdleTooLong { get; } = Make(421, (4, 4, 2), "Nothing heard for too long, closing the connection");
    public static Reply ShuttingDown { get; } = Make(421, (4, 3, 2), "The server is stopping, try again later");
    public static Reply TooManyErrors { get; } = Make(421, (4, 7, 0), "Too many errors");
    public static Reply TooManyFailedLogins { get; } = Make(421, (4, 7, 0), "Too many failed logins");
    public static Reply LoginGone { get; } = Make(421, (4, 7, 0), "The login is not valid any more, log in again");
    public static Reply Dismissed { get; } = Make(421, (4, 3, 2), "The session was ended by the operator");
    public static Reply InternalError { get; } = Make(421, (4, 3, 0), "Internal error, try again later");

    // 4xx
    public static Reply LoginUnsure { get; } = Make(451, (4, 3, 0), "Cannot see now whether the login is still valid, try again later");
    public static Reply TooManyRecipients { get; } = Make(452, (4, 5, 3), "Too many recipients, send the rest in another transaction");
    public static Reply NoStorage { get; } = Make(452, (4, 3, 1), "Insufficient system storage, try again later");
    public static Reply StoreUnavailable { get; } = Make(454, (4, 7, 0), "Temporary authentication failure, try again later");
    public static Reply TransitionNeeded { get; } = Make(432, (4, 7, 12), "A password transition is needed");

    // 500 and 501: syntax
    public static Reply LineTooLong { get; } = Make(500, (5, 5, 2), "Line too long");
    public static Reply SaslLineTooLong { get; } = Make(500, (5, 5, 6), "Authentication exchange line is too long");
    public static Reply BadOctet { get; } = Make(500, (5, 5, 2), "Bare CR, bare LF or NUL in a command; lines end in CRLF");
    public static Reply UnknownCommand { get; } = Make(500, (5, 5, 1), "Command not recognized");
    public static Reply NotSmtp { get; } = Make(500, (5, 5, 1), "This is an SMTP server");
    public static Reply BadBase64 { get; } = Make(501, (5, 5, 2), "Cannot decode the response; it must be base64");
    public static Reply AuthCancelled { get; } = Make(501, (5, 7, 0), "Authentication cancelled");
    public static Reply MalformedAuth { get; } = Make(501, (5, 5, 2), "Malformed authentication message");
    public static Reply NoInitialResponse { get; } = Make(501, (5, 7, 0), "This mechanism does not take an initial response");
    public static Reply HelloTooLong { get; } = Make(501, (5, 5, 4), "A name of more than 255 octets");
    public static Reply BadSender { get; } = Make(501, (5, 1, 7), "Bad sender address syntax");
    public static Reply BadRecipient { get; } = Make(501, (5, 1, 3), "Bad recipient address syntax");
    public static Reply SourceRoute { get; } = Make(501, (5, 1, 3), "Source routes are not accepted");
    public static Reply BadParameters { get; } = Make(501, (5, 5, 4), "Bad parameter syntax");

    public static Reply HoldBeyondDeliverBy { get; } = Make(501, (5, 5, 4), "The release is later than the time given by BY=");

    public static Reply BadVerpDelimiters { get; } = Make(501, (5, 5, 4), "XVERP needs two characters of -=+");

    public static Reply BadPeerAttribute { get; } = Make(501, (5, 5, 4), "Bad attribute name or value");

    // 503: sequence
    public static Reply VerpOfNobody { get; } = Make(503, (5, 5, 4), "XVERP requires a sender that is not null");

    public static Reply BadSequence { get; } = Make(503, (5, 5, 1), "Bad sequence of commands");
    public static Reply HelloFirst { get; } = Make(503, (5, 5, 1), "Send EHLO first");
    public static Reply LhloFirst { get; } = Make(503, (5, 5, 1), "Send LHLO first");
    public static Reply NoRecipients { get; } = Make(554, (5, 5, 1), "No valid recipients");
    public static Reply NoRecipientsByLmtp { get; } = Make(503, (5, 5, 1), "No valid recipients");
    public static Reply ChunksFailed { get; } = Make(503, (5, 5, 1), "An earlier chunk of this message failed, send RSET");
    public static Reply BinaryNeedsBdat { get; } = Make(503, (5, 5, 1), "Content of BODY=BINARYMIME is sent by BDAT");
    public static Reply AlreadyAuthenticated { get; } = Make(503, (5, 5, 1), "Already authenticated");
    public static Reply AuthNotOffered { get; } = Make(503, (5, 5, 1), "AUTH is not available here");
    public static Reply TlsAlreadyActive { get; } = Make(503, (5, 5, 1), "TLS is already active");
    public static Reply InputBehindStartTls { get; } = Make(554, (5, 5, 0), "Input after STARTTLS, before the handshake");

    // 502, 504, 555: not here
    public static Reply TlsNotOffered { get; } = Make(502, (5, 5, 1), "TLS is not available here");
    public static Reply UnknownMechanism { get; } = Make(504, (5, 5, 4), "Authentication mechanism not available here");
    public static Reply MechanismNeedsTls { get; } = Make(504, (5, 5, 4), "This authentication mechanism needs TLS first");
    public static Reply UnknownParameter { get; } = Make(555, (5, 5, 4), "Parameter not recognized");
    public static Reply UnknownBody { get; } = Make(501, (5, 5, 4), "BODY value not recognized");

    public static Reply ExpnNotAvailable { get; } = Make(502, (5, 5, 1), "EXPN is not available");
    public static Reply EtrnNotAvailable { get; } = Make(502, (5, 5, 1), "ETRN is not available here");

    // 53x: who you are
    public static Reply StartTlsFirst { get; } = Make(530, (5, 7, 0), "Must issue a STARTTLS command first");
    public static Reply RequireTlsNeedsTls { get; } = Make(530, (5, 7, 10), "REQUIRETLS is for a connection under TLS");
    public static Reply AuthenticationRequired { get; } = Make(530, (5, 7, 0), "Authentication required");
    public static Reply MechanismTooWeak { get; } = Make(534, (5, 7, 9), "Authentication mechanism is too weak for this user");
    public static Reply BadCredentials { get; } = Make(535, (5, 7, 8), "Authentication failed");

    // 55x: the message
    public static Reply BareLineEnd { get; } = Make(554, (5, 6, 0), "Bare CR or LF in the message; every line must end in CRLF");
    public static Reply NulInMessage { get; } = Make(554, (5, 6, 0), "NUL in the message; only content of BODY=BINARYMIME may hold it");
    public static Reply RelayDenied { get; } = Make(550, (5, 7, 1), "Relay access denied");
    public static Reply NonAsciiAddress { get; } = Make(553, (5, 6, 7), "A non-ASCII address needs SMTPUTF8");
    public static Reply NotAuthorizedPeer { get; } = Make(550, (5, 7, 0), "Insufficient authorization");
    public static Reply NoSuchMailbox { get; } = Make(550, (5, 1, 1), "No such mailbox");
    public static Reply ClientNotAllowed { get; } = Make(554, (5, 7, 1), "Your address may not connect here");

    public static Reply Queued(string id) => Make(250, (2, 0, 0), $"Queued as {id}");

    public static Reply ChunkTaken(long octets) =>
        Make(250, (2, 0, 0), string.Create(CultureInfo.InvariantCulture, $"{octets} octets received"));

    public static Reply BadSyntax(string syntax) => Make(501, (5, 5, 4), $"Syntax: {syntax}");

    public static Reply SizeLimit(long octets) =>
        Make(552, (5, 3, 4), string.Create(CultureInfo.InvariantCulture, $"Message exceeds the size limit of {octets} octets"));

    internal static Reply DeliverByTooSoon(TimeSpan least) =>
        Make(555, (5, 5, 4), string.Create(CultureInfo.InvariantCulture, $"BY with R needs at least {least.TotalSeconds:F0} seconds"));

    internal static Reply HoldTooLong(TimeSpan most) =>
        Make(501, (5, 5, 4), string.Create(CultureInfo.InvariantCulture, $"Messages are held for at most {most.TotalSeconds:F0} seconds"));

    internal static Reply Verified(Mailbox mailbox) => Make(250, (2, 1, 5), $"<{mailbox}>");

    internal static Reply Relay(Mailbox recipient) => Make(550, (5, 7, 1), $"<{recipient}>: Relay access denied");

    private static Reply Make(int code, (int Class, int Subject, int Detail) status, string text) =>
        new(code, new EnhancedStatus(status.Class, status.Subject, status.Detail), text);
}
