namespace Postern.Relay.Delivery.Shaping;

/// <summary>
/// What flows in by a rate and is taken out: the arithmetic alone. What takes more than there can ever be goes when the bucket is full, and
/// the debt is waited for afterwards. Not thread-safe.
/// </summary>
internal sealed class TokenBucket
{
    /// <summary>What the arithmetic loses in a long time.</summary>
    private const double Crumb = 1e-6;

    private readonly TimeProvider clock;
    private double tokens;
    private long at;

    /// <param name="begin">What is in it, where the rate allows for so much.</param>
    public TokenBucket(Rate rate, double begin, TimeProvider clock)
    {
        (Rate, this.clock, at) = (rate, clock, clock.GetTimestamp());
        tokens = Math.Min(begin, rate.Burst);
    }

    public Rate Rate { get; private set; }

    /// <summary>What is in it now; below nothing where more was taken than was there.</summary>
    public double Tokens
    {
        get
        {
            Fill();
            return tokens;
        }
    }

    /// <summary>Nothing is to be known of it that a new one would not say.</summary>
    public bool IsFull => Tokens >= Rate.Burst - Crumb;

    /// <param name="kept">What is not to be touched.</param>
    public bool Has(double amount, double kept = 0) => Tokens - kept >= Math.Min(amount, Rate.Burst) - Crumb;

    public void Take(double amount)
    {
        Fill();
        tokens -= amount;
    }

    /// <summary>It was not needed.</summary>
    public void Return(double amount)
    {
        Fill();
        tokens = Math.Min(Rate.Burst, tokens + amount);
    }

    /// <summary>When so much is there, if nobody takes any; a timestamp of the clock.</summary>
    public long ReadyAt(double amount, double kept = 0)
    {
        var lacks = Math.Min(amount, Rate.Burst) + kept - Tokens;
        return lacks <= Crumb ? at : at + (long)Math.Ceiling(lacks / Rate.PerSecond * clock.TimestampFrequency);
    }

    /// <summary>Takes another rate; what is in it stays, as far as it may.</summary>
    public void Apply(Rate changed)
    {
        if (changed == Rate)
            return;
        Fill();
        Rate = changed;
        tokens = Math.Min(tokens, changed.Burst);
    }

    private void Fill()
    {
        var now = clock.GetTimestamp();
        if (now <= at)
            return;
        tokens = Math.Min(Rate.Burst, tokens + (clock.GetElapsedTime(at, now).TotalSeconds * Rate.PerSecond));
        at = now;
    }
}
