using System.Collections.Immutable;
using System.Numerics;

namespace Postern.Relay.Policy.Watching;

/// <summary>How the score comes about.</summary>
internal sealed partial class LoginHistory
{
    /// <summary>Above this, what a login does teaches nothing: a thief must not make himself at home.</summary>
    public const int Unusual = 45;

    /// <summary>The weight of what is sent from a new place.</summary>
    private const float Away = 1.2f;

    /// <summary>Nobody is as busy in a new place as in his busiest hour.</summary>
    private const float AwayShare = 0.7f;

    /// <summary>So long no new place becomes the login's own: a thief comes again on the next day.</summary>
    private const int DoubtedDays = 7;

    private const int MostParts = 12;

    private enum Newness
    {
        Own,
        Network,
        System,
        Country,
    }

    /// <summary>Notes where it sends from; how new that is, and how many new places there are today.</summary>
    private (Newness New, int Places) Place(in Sending sending)
    {
        var network = See(networks, sending.Network);
        var system = See(systems, sending.System);
        var country = See(countries, sending.Country);
        var places = Math.Max(NewToday(systems) - 1, NewToday(countries)); // a hotel has one, and the telephone in it another
        if (sending.Country == 0 && sending.System == 0)
            places = NewToday(networks) / 2;
        return (country ? Newness.Country : system ? Newness.System : network ? Newness.Network : Newness.Own, places);
    }

    /// <summary>Whether a place is new; where it has no number nobody knows.</summary>
    private bool See(Sight[] table, uint which)
    {
        if (which == 0)
            return false;
        var oldest = 0;
        for (var i = 0; i < table.Length; i++)
        {
            ref var one = ref table[i];
            if (one.Which == which)
            {
                if (one.Last != day && day >= doubtedUntil)
                    one.Days = (byte)Math.Min(one.Days + 1, 255);
                one.Last = day;
                return one.Days < SettlingDays && !IsLearning;
            }

            if (Worth(one) < Worth(table[oldest]))
                oldest = i;
        }

        // While all of it is new, the first places are its own.
        table[oldest] = new Sight { Which = which, Last = day, Days = IsLearning ? (byte)SettlingDays : (byte)1 };
        return !IsLearning;

        // What it was at for many days stays, however many places a thief comes from.
        int Worth(in Sight one) => one.Which == 0
            ? -1
            : one.Last + (Math.Min(one.Days, (byte)30) * 6) - (one.Days < SettlingDays ? 1000 : 0);
    }

    private int NewToday(Sight[] table)
    {
        var count = 0;
        foreach (var one in table)
            count += one.Which != 0 && one.Days < SettlingDays && day - one.Last <= 1 ? 1 : 0;
        return count;
    }

    /// <param name="subject">Of the message that has come; 0 where none has.</param>
    private LoginScore Score((Newness New, int Places) place, uint subject)
    {
        Span<(ScoreKind Kind, int Points, int Now, int Own)> found = stackalloc (ScoreKind, int, int, int)[MostParts];
        var count = 0;
        var isNew = place.New != Newness.Own;
        var now = hour % Hours;
        var (hours, days) = IsLearning ? (60, 150) : (10, 10);
        switch (place.New)
        {
            case Newness.Country:
                Put(found, ref count, ScoreKind.NewCountry, 40, 0, 0);
                break;
            case Newness.System:
                Put(found, ref count, ScoreKind.NewSystem, 25, 0, 0);
                break;
            case Newness.Network:
                Put(found, ref count, ScoreKind.NewNetwork, HasPlaces ? 15 : 25, 0, 0);
                break;
        }

        // From where it always sends, many recipients are a newsletter; from where it never did, they are the sign.
        var weight = isNew ? Away : IsLearning ? 0.6f : 0.45f;
        if (isNew && place.Places > 1)
        {
            // Who travels passes through several, and writes little on the way.
            var share = Math.Min(1f, Sum(sentAway) / 15f);
            Put(found, ref count, ScoreKind.SeveralPlaces, (int)(Math.Min(30, (place.Places - 1) * 20) * share), place.Places, 0);
        }

        Grown(found, ref count, ScoreKind.Addresses, BitOperations.PopCount(clients), Own.Clients, 4, 15, 30, 1f);
        Grown(found, ref count, ScoreKind.Recipients, isNew ? sentAway[now] : sent[now], Own.Recipients, hours, 14, 40, weight);
        Grown(found, ref count, ScoreKind.Strangers, Sum(isNew ? strangersAway : strangers), Own.Strangers, days, 14, 40, weight);
        Grown(found, ref count, ScoreKind.Domains, Few(isNew ? domainsAway : domains), Own.Domains, 8, 8, 20, weight);
        Grown(found, ref count, ScoreKind.Authors, BitOperations.PopCount(authors), Own.Authors, 2, 15, 35, 1f);
        Grown(found, ref count, ScoreKind.Repeats, CopiesOf(subject), Own.Repeats, 20, 8, 20, weight);
        var failing = Share() - Math.Max(10, (int)own[(int)Own.Failures]);
        if (failing > 0)
            Put(
                found,
                ref count,
                ScoreKind.Failures,
                Math.Min(30, (int)(failing * (isNew ? 1.5f : 0.7f))),
                Share(),
                (int)own[(int)Own.Failures]);
        if (isNew && pressed > 1)
            Put(found, ref count, ScoreKind.Pressing, Math.Min(25, pressed), pressed, 0);
        if (count == 0)
            return LoginScore.None;
        var points = 0;
        foreach (var one in found[..count])
            points += one.Points;
        if (points >= Unusual && isNew)
            (wasUnusual, doubtedUntil) = (true, day + DoubtedDays);

        return Listed(points, found[..count]);
    }

    private int CopiesOf(uint subject)
    {
        foreach (var (which, copies) in subjects)
        {
            if (subject != 0 && which == subject)
                return copies;
        }

        return 0;
    }

    private bool HasPlaces => countries[0].Which != 0 || systems[0].Which != 0;

    /// <summary>Points for what is more than the login's own most, by how many doublings.</summary>
    private void Grown(
        Span<(ScoreKind Kind, int Points, int Now, int Own)> found,
        ref int count,
        ScoreKind kind,
        int now,
        Own what,
        int least,
        int each,
        int cap,
        float weight)
    {
        var usual = Math.Max(least, own[(int)what] * (weight > 1f ? AwayShare : 1f));
        if (now <= usual)
            return;
        var points = (int)Math.Min(cap * Math.Min(1f, weight), each * MathF.Log2(now / usual) * weight);
        if (points > 0)
            Put(found, ref count, kind, points, now, (int)usual);
    }

    private static void Put(
        Span<(ScoreKind Kind, int Points, int Now, int Own)> found, ref int count, ScoreKind kind, int points, int now, int usual) =>
        found[count++] = (kind, points, now, usual);

    private static LoginScore Listed(int points, ReadOnlySpan<(ScoreKind Kind, int Points, int Now, int Own)> found)
    {
        var parts = ImmutableArray.CreateBuilder<ScorePart>(found.Length);
        foreach (var (kind, worth, now, usual) in found)
            parts.Add(new ScorePart(kind, worth, now, usual));
        parts.Sort(static (a, b) => b.Points.CompareTo(a.Points));
        return new LoginScore(points, parts.MoveToImmutable());
    }
}
