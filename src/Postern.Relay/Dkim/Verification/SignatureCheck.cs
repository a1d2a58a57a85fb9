namespace Postern.Relay.Dkim.Verification;

/// <summary>Verifies signatures over one message (RFC 6376 §6.1.3).</summary>
internal sealed class SignatureCheck(FieldIndex fields, BodyHashes bodies, KeyLookup keys, DateTimeOffset now)
{
    /// <summary>The result, and for anything but a pass the reason.</summary>
    public async ValueTask<(SignatureResult Result, string? Why)> VerifyAsync(MessageSignature signature)
    {
        if (signature.ExpiresAt <= now)
            return (SignatureResult.Fail, "the signature has expired");
        if (bodies.Of(signature.Body, signature.Length) is not { } body || !body.AsSpan().SequenceEqual(signature.BodyHash))
            return (SignatureResult.Fail, "the body was changed");
        switch (await keys.FindAsync(signature.Domain, signature.Selector).ConfigureAwait(false))
        {
            case KeyAnswer.Unavailable(var why):
                return (SignatureResult.TempError, why);
            case KeyAnswer.None(var why):
                return (SignatureResult.PermError, why);
            case KeyAnswer.Found(var key):
                if (!key.IsForSubdomains && signature.AgentDomain != signature.Domain)
                    return (SignatureResult.PermError, "the key is not for domains below its own");
                return key.Verifies(signature.Algorithm, fields.HashOf(signature), signature.Value)
                    ? (SignatureResult.Pass, null)
                    : (SignatureResult.Fail, "the header was changed, or the key is another");
            default:
                throw new InvalidOperationException("Unknown answer");
        }
    }
}

/// <summary>What a signature over a message is worth, in the words of RFC 8601 §2.7.1.</summary>
internal enum SignatureResult
{
    Pass,
    Fail,

    /// <summary>It cannot be read.</summary>
    Neutral,

    /// <summary>Its key cannot be had now.</summary>
    TempError,

    /// <summary>There is no key.</summary>
    PermError,
}
