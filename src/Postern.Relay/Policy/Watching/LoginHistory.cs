using System.Numerics;

namespace Postern.Relay.Policy.Watching;

/// <summary>
/// What is kept of one login: where it sent from, to how many at most, and what it does today. Less than 2 KiB whatever it does: places in
/// short tables, recipients in filters of bits that forget in two steps of 45 days, counts of the last 24 hours, own maxima that lose half
/// in about 70 days. Used by one caller at a time.
/// </summary>
internal sealed partial class LoginHistory
{
    /// <summary>
    /// Days on which it sent something; before there are so many, its maxima are not known and bounds of all new ones count.
    /// </summary>
    public const int LearningDays = 5;

    /// <summary>Days on which a place was sent from after which it is the login's own.</summary>
    private const int SettlingDays = 3;

    private const int Hours = 24;
    private const int FilterDays = 45;
    private const int FilterWords = 32;
    private const float KeptADay = 0.99f;

    private readonly Sight[] networks = new Sight[16];
    private readonly Sight[] systems = new Sight[12];
    private readonly Sight[] countries = new Sight[8];
    private readonly ulong[] written = new ulong[2 * FilterWords];
    private readonly ushort[] sent = new ushort[Hours];
    private readonly ushort[] strangers = new ushort[Hours];
    private readonly ushort[] sentAway = new ushort[Hours];
    private readonly ushort[] strangersAway = new ushort[Hours];
    private readonly ushort[] failed = new ushort[Hours];
    private readonly ulong[] domains = new ulong[4];
    private readonly ulong[] domainsAway = new ulong[4];
    private readonly (uint Which, int Count)[] subjects = new (uint, int)[4];
    private readonly float[] own = new float[Maxima];
    private long hour;
    private int day;
    private int filterDay;
    private int activeDays;
    private ulong clients;
    private ulong authors;
    private int pressed;
    private int doubtedUntil;
    private long slot;
    private long heldUntil;
    private bool wasUnusual;
    private bool isActive;

    /// <summary>When it last did something, in hours since 0001.</summary>
    public long LastHour => hour;

    public bool IsLearning => activeDays < LearningDays;

    /// <summary>Something has changed since it was written down.</summary>
    public bool IsDirty { get; private set; } = true;

    /// <summary>Counts what was done, and says how unusual all of it is now.</summary>
    /// <param name="counts">False: what it would be, and nothing is counted.</param>
    public LoginScore Judge(in Sending sending, bool counts)
    {
        if (!counts)
        {
            var copy = Copy();
            return copy.Judge(sending, counts: true);
        }

        IsDirty = true;
        Roll(sending.At);
        var place = Place(sending);
        if (sending.Recipient != 0)
            CountRecipient(sending, place.New != Newness.Own);
        if (sending.Author != 0)
            authors |= 1UL << (int)(sending.Author >> 58);
        if (sending.Subject != 0)
            CountSubject(sending.Subject, sending.Copies);
        clients |= 1UL << (int)(sending.Client >> 58);
        return Score(place, sending.Subject);
    }

    /// <summary>A recipient does not exist.</summary>
    public void AddFailure(DateTimeOffset at)
    {
        Roll(at);
        Add(ref failed[hour % Hours]);
        IsDirty = true;
    }

    /// <summary>One recipient a minute is let through while it is slowed; else it is one refusal more.</summary>
    public bool MayPass(DateTimeOffset at, TimeSpan every)
    {
        var now = at.UtcTicks / every.Ticks;
        if (now > slot)
        {
            slot = now;
            return true;
        }

        pressed = Math.Min(pressed + 1, ushort.MaxValue);
        return false;
    }

    /// <summary>
    /// What is done at so many points. Once messages are held they are for a day: who waits an hour must not begin anew.
    /// </summary>
    public WatchStep StepAt(int points, WatchLevels levels)
    {
        var step = levels.StepAt(points);
        if (step >= WatchStep.Hold)
            (heldUntil, IsDirty) = (hour + Hours, true);
        return step < WatchStep.Hold && hour < heldUntil ? WatchStep.Hold : step;
    }

    /// <summary>An operator says that what it did today was the user: its places are its own, and its counts no more than usual.</summary>
    public void Forgive()
    {
        foreach (var table in new[] { networks, systems, countries })
        {
            for (var i = 0; i < table.Length; i++)
                table[i].Days = table[i].Which == 0 ? (byte)0 : Math.Max(table[i].Days, (byte)SettlingDays);
        }

        (wasUnusual, pressed, heldUntil, doubtedUntil) = (false, 0, 0, 0);
        foreach (var counts in new[] { sentAway, strangersAway })
            Array.Clear(counts);
        Array.Clear(domainsAway);
        Learn();
        own[(int)Own.Strangers] = Math.Max(own[(int)Own.Strangers], Sum(strangers));
        own[(int)Own.Failures] = Math.Max(own[(int)Own.Failures], Share());
        Array.Clear(subjects);
        IsDirty = true;
    }

    /// <summary>Octets of a history.</summary>
    public const int Length = 1 + (36 * 9) + (2 * FilterWords * 8) + (5 * Hours * 2) + 64 + 32 + (Maxima * 4) + 24 + 20 + 16 + 1;

    private const byte Version = 1;

    /// <summary>All of it, to be written down.</summary>
    public void Save(Span<byte> to)
    {
        var writer = new HistoryOctets.Writer(to);
        writer.Byte(Version);
        foreach (var table in new[] { networks, systems, countries })
        {
            foreach (var one in table)
            {
                writer.Long(one.Which | ((long)(uint)one.Last << 32));
                writer.Byte(one.Days);
            }
        }

        foreach (var word in written)
            writer.Long((long)word);
        foreach (var counts in new[] { sent, strangers, sentAway, strangersAway, failed })
        {
            foreach (var count in counts)
                writer.Short(count);
        }

        foreach (var word in domains)
            writer.Long((long)word);
        foreach (var word in domainsAway)
            writer.Long((long)word);
        foreach (var (which, count) in subjects)
            writer.Long(which | ((long)count << 32));
        foreach (var most in own)
            writer.Int(BitConverter.SingleToInt32Bits(most));
        writer.Long(hour);
        writer.Long((long)clients);
        writer.Long((long)authors);
        writer.Int(day);
        writer.Int(filterDay);
        writer.Int(activeDays);
        writer.Int(pressed);
        writer.Int(doubtedUntil);
        writer.Long(slot);
        writer.Long(heldUntil);
        writer.Byte((byte)((wasUnusual ? 1 : 0) | (isActive ? 2 : 0)));
        IsDirty = false;
    }

    /// <summary>Null where it is of another version or length.</summary>
    public static LoginHistory? TryLoad(ReadOnlySpan<byte> from)
    {
        if (from.Length != Length || from[0] != Version)
            return null;
        var history = new LoginHistory();
        history.Load(from[1..]);
        history.IsDirty = false;
        return history;
    }

    private LoginHistory Copy()
    {
        Span<byte> octets = stackalloc byte[Length];
        var dirty = IsDirty;
        Save(octets);
        IsDirty = dirty;
        return TryLoad(octets)!;
    }

    private void Load(ReadOnlySpan<byte> from)
    {
        var reader = new HistoryOctets.Reader(from);
        foreach (var table in new[] { networks, systems, countries })
        {
            for (var i = 0; i < table.Length; i++)
            {
                var word = reader.Long();
                table[i] = new Sight { Which = (uint)word, Last = (int)(word >> 32), Days = reader.Byte() };
            }
        }

        for (var i = 0; i < written.Length; i++)
            written[i] = (ulong)reader.Long();
        foreach (var counts in new[] { sent, strangers, sentAway, strangersAway, failed })
        {
            for (var i = 0; i < counts.Length; i++)
                counts[i] = reader.Short();
        }

        for (var i = 0; i < domains.Length; i++)
            domains[i] = (ulong)reader.Long();
        for (var i = 0; i < domainsAway.Length; i++)
            domainsAway[i] = (ulong)reader.Long();
        for (var i = 0; i < subjects.Length; i++)
        {
            var word = reader.Long();
            subjects[i] = ((uint)word, (int)(word >> 32));
        }

        for (var i = 0; i < own.Length; i++)
            own[i] = BitConverter.Int32BitsToSingle(reader.Int());
        hour = reader.Long();
        clients = (ulong)reader.Long();
        authors = (ulong)reader.Long();
        day = reader.Int();
        filterDay = reader.Int();
        activeDays = reader.Int();
        pressed = reader.Int();
        doubtedUntil = reader.Int();
        slot = reader.Long();
        heldUntil = reader.Long();
        var flags = reader.Byte();
        (wasUnusual, isActive) = ((flags & 1) != 0, (flags & 2) != 0);
    }

    /// <param name="isAway">From where it never was: what is sent from elsewhere at the time says nothing of that place.</param>
    private void CountRecipient(in Sending sending, bool isAway)
    {
        isActive = true;
        var isStranger = !HasWrittenTo(sending.Recipient);
        Add(ref sent[hour % Hours]);
        domains[(sending.Domain >> 62) & 3] |= 1UL << (int)((sending.Domain >> 56) & 63);
        if (isStranger)
            Add(ref strangers[hour % Hours]);
        if (isAway)
        {
            Add(ref sentAway[hour % Hours]);
            domainsAway[(sending.Domain >> 62) & 3] |= 1UL << (int)((sending.Domain >> 56) & 63);
            if (isStranger)
                Add(ref strangersAway[hour % Hours]);
        }

        Remember(sending.Recipient);
    }

    private void CountSubject(uint subject, int copies)
    {
        var least = 0;
        for (var i = 0; i < subjects.Length; i++)
        {
            if (subjects[i].Which == subject)
            {
                subjects[i].Count += copies;
                return;
            }

            if (subjects[i].Count < subjects[least].Count)
                least = i;
        }

        subjects[least] = (subject, copies);
    }

    /// <summary>What begins with another hour or day: what was is learnt, where it was not unusual.</summary>
    private void Roll(DateTimeOffset at)
    {
        var now = at.UtcTicks / TimeSpan.TicksPerHour;
        if (now <= hour)
            return;
        if (hour == 0)
            (hour, day, filterDay) = (now, (int)(now / Hours), (int)(now / Hours));
        if (now == hour)
            return;
        if (!wasUnusual)
            Learn();
        for (var passed = Math.Max(hour + 1, now - Hours + 1); passed <= now; passed++)
        {
            var at24 = passed % Hours;
            sent[at24] = strangers[at24] = sentAway[at24] = strangersAway[at24] = failed[at24] = 0;
        }

        hour = now;
        Array.Clear(domains);
        Array.Clear(domainsAway);
        (clients, pressed) = (0, 0);
        var today = (int)(now / Hours);
        if (today != day)
            RollDay(today);
    }

    private void RollDay(int today)
    {
        if (isActive && !wasUnusual)
            activeDays = Math.Min(activeDays + 1, 255);
        var kept = MathF.Pow(KeptADay, Math.Min(today - day, 1000));
        for (var i = 0; i < own.Length; i++)
            own[i] *= kept;
        (authors, isActive, wasUnusual, day) = (0, false, false, today);
        Array.Clear(subjects);
        if (today - filterDay < FilterDays)
            return;
        var isOld = today - filterDay >= 2 * FilterDays;
        written.AsSpan(0, FilterWords).CopyTo(written.AsSpan(FilterWords));
        written.AsSpan(0, FilterWords).Clear();
        if (isOld)
            written.AsSpan(FilterWords).Clear();
        filterDay = today;
    }

    /// <summary>What was sent from new places teaches nothing: who begins small and goes on with more would be usual in the end.</summary>
    private void Learn()
    {
        Most(Own.Recipients, sent[hour % Hours] - sentAway[hour % Hours]);
        Most(Own.Strangers, Sum(strangers) - Sum(strangersAway));
        Most(Own.Failures, Share());
        if (sentAway[hour % Hours] == 0)
        {
            Most(Own.Domains, Few(domains));
            Most(Own.Clients, BitOperations.PopCount(clients));
        }

        if (Sum(sentAway) > 0)
            return;
        Most(Own.Authors, BitOperations.PopCount(authors));
        foreach (var (_, count) in subjects)
            Most(Own.Repeats, count);

        void Most(Own what, float value) => own[(int)what] = Math.Max(own[(int)what], value);
    }

    /// <summary>The share of failed recipients of a day, in percent; of few there is none.</summary>
    private int Share() => Sum(failed) is > 4 and var bad ? Math.Min(100, bad * 100 / Math.Max(1, Sum(sent))) : 0;

    private bool HasWrittenTo(ulong recipient) => Holds(recipient, 0) || Holds(recipient, FilterWords);

    private bool Holds(ulong recipient, int from) =>
        (written[from + (int)((recipient >> 6) & 31)] & (1UL << (int)(recipient & 63))) != 0
            && (written[from + (int)((recipient >> 22) & 31)] & (1UL << (int)((recipient >> 16) & 63))) != 0;

    private void Remember(ulong recipient)
    {
        written[(recipient >> 6) & 31] |= 1UL << (int)(recipient & 63);
        written[(recipient >> 22) & 31] |= 1UL << (int)((recipient >> 16) & 63);
    }

    private static void Add(ref ushort count) => count = (ushort)Math.Min(count + 1, ushort.MaxValue);

    private static int Sum(ushort[] counts)
    {
        var sum = 0;
        foreach (var count in counts)
            sum += count;
        return sum;
    }

    /// <summary>How many different things have set these bits, as far as bits can tell (linear counting).</summary>
    private static int Few(ulong[] bits)
    {
        var (set, all) = (0, bits.Length * 64);
        foreach (var word in bits)
            set += BitOperations.PopCount(word);
        return set == 0 ? 0 : set == all ? all * 6 : (int)MathF.Round(-all * MathF.Log(1f - ((float)set / all)));
    }

    private const int Maxima = 7;

    private enum Own
    {
        Recipients,
        Domains,
        Clients,
        Authors,
        Strangers,
        Failures,
        Repeats,
    }

    /// <summary>A place that was sent from.</summary>
    private struct Sight
    {
        public uint Which;

        /// <summary>The last day, counted from 0001.</summary>
        public int Last;

        /// <summary>How many days, 255 at most.</summary>
        public byte Days;
    }
}
