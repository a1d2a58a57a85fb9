using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A hash that tells when it is being computed and ends only when allowed. Any password is right for <paramref name="matches"/>.</summary>
internal sealed class GatedHash(bool matches = true) : PasswordHash("gated " + Guid.NewGuid()), IDisposable
{
    private readonly SemaphoreSlim started = new(0);
    private readonly SemaphoreSlim allowed = new(0);
    private int computed;

    public override string Scheme => "gated";

    public int Computed => computed;

    public StoredLogin Login(string user) => new(user, refusal: null, [new StoredCredential("gated", this, ExpiresAt: null)]);

    public async Task StartedAsync() => Assert.True(await started.WaitAsync(TimeSpan.FromSeconds(20)));

    public void Allow(int times = 1) => allowed.Release(times);

    public override HashAnswer Verify(ReadOnlySpan<byte> password)
    {
        Interlocked.Increment(ref computed);
        started.Release();
        Assert.True(allowed.Wait(TimeSpan.FromSeconds(20)));
        return HashAnswer.Of(matches);
    }

    public void Dispose()
    {
        started.Dispose();
        allowed.Dispose();
    }
}
