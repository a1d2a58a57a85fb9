using System.Collections.Immutable;
using System.Security.Cryptography;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <summary>
/// One attempt in the <see cref="HashingPool"/>, with as many callers waiting as made the same one. Owns its copy of the password.
/// </summary>
internal sealed class HashingJob(
    VerificationKey key, StoredLogin login, byte[] password, HashCosts atLeast, string? peer, bool isKnown, DateTimeOffset now)
{
    // Continuations run elsewhere: a session must never run on a hashing thread.
    private readonly TaskCompletionSource<LoginAnswer> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public VerificationKey Key => key;

    /// <summary>Where attempts of one client are counted.</summary>
    public string? Network { get; } = PeerNetwork.Of(peer);

    /// <summary>Where it comes from, the narrowest first.</summary>
    public ImmutableArray<ClientNetwork> Networks { get; } = ClientNetwork.Of(peer);

    /// <summary>This account has logged in from there before.</summary>
    public bool IsKnown => isKnown;

    public Task<LoginAnswer> Answer => answer.Task;

    public LoginAnswer Run(Action<HashCost>? spent)
    {
        try
        {
            return LoginCheck.Run(login, password, atLeast, now, spent);
        }
        catch (Exception e)
        {
            return new LoginAnswer.Unavailable($"checking the password failed: {e.Message}");
        }
    }

    public void Complete(LoginAnswer check)
    {
        CryptographicOperations.ZeroMemory(password);
        answer.TrySetResult(check);
    }
}
