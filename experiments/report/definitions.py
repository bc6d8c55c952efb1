"""Definitions of the metrics, one sentence each in both languages; formulas and SUMO sources: docs/metrics.md."""

from __future__ import annotations

from denxanh.sim.language.text import Text

DEFINITIONS = {
    "delay_s": Text(
        "Time lost on the road by every inserted vehicle, finished or not, plus the wait to enter of every "
        "vehicle, inserted or not, over all vehicles.",
        "Tổng thời gian mất trên đường của mọi xe đã vào mạng (đã đến hay chưa) và thời gian chờ vào mạng của "
        "mọi xe (đã vào được hay chưa), chia cho tổng số xe.",
    ),
    "delay_whole_run_s": Text(
        "The same over the whole run, its warm-up and flush included: an empty start makes it smaller, and so do trips "
        "cut off by the end.",
        "Như trên, tính cho cả lượt chạy, gồm cả thời gian khởi động và xả: mạng trống lúc đầu và các chuyến bị cắt "
        "lúc kết thúc làm giá trị này nhỏ hơn.",
    ),
    "delay_pcu_s": Text(
        "The delay, each vehicle weighted with the passenger-car units it counts for.",
        "Thời gian trễ, mỗi xe tính theo số xe con quy đổi (xcqđ, PCU) của nó.",
    ),
    "delay_person_s": Text(
        "The delay, each vehicle weighted with the persons assumed aboard.",
        "Thời gian trễ, mỗi xe tính theo số người giả định trên xe.",
    ),
    "travel_time_s": Text(
        "Mean time from insertion to arrival, of the vehicles that arrived.",
        "Thời gian trung bình từ lúc vào mạng đến lúc tới nơi, chỉ tính xe đã đến.",
    ),
    "time_loss_s": Text(
        "Time lost by driving below the desired and allowed speed (SUMO timeLoss), over all vehicles.",
        "Thời gian mất do phải chạy chậm hơn tốc độ mong muốn và cho phép (timeLoss của SUMO), chia cho tổng "
        "số xe.",
    ),
    "depart_delay_s": Text(
        "Time between the scheduled departure and the insertion (SUMO departDelay), over all vehicles; for those "
        "never inserted, until the end.",
        "Thời gian từ lúc muốn khởi hành đến lúc vào được mạng (departDelay của SUMO), chia cho tổng số xe; với "
        "xe chưa vào được thì tính đến lúc kết thúc.",
    ),
    "stopped_s": Text(
        "Time below 0.1 m/s (SUMO waitingTime), over all vehicles.",
        "Thời gian có tốc độ dưới 0,1 m/s (waitingTime của SUMO), chia cho tổng số xe.",
    ),
    "stops": Text(
        "Times a vehicle came to rest (SUMO waitingCount), over all vehicles.",
        "Số lần xe phải dừng hẳn (waitingCount của SUMO), chia cho tổng số xe.",
    ),
    "speed_mps": Text(
        "Distance driven by all inserted vehicles over the time they spent in the network; m/s in the files.",
        "Tổng quãng đường của các xe đã vào mạng chia cho tổng thời gian chúng ở trong mạng; trong tệp là m/s.",
    ),
    "throughput_vph": Text(
        "Vehicles that arrived in the measured time, whenever they departed, over that time.",
        "Số xe đến nơi trong thời gian đo, bất kể khởi hành lúc nào, chia cho thời gian đó.",
    ),
    "queue_mean_veh": Text(
        "Halted vehicles on the approaches of an intersection, mean over intersections and time.",
        "Số xe đang dừng trên các nhánh dẫn của một nút giao, trung bình theo nút và thời gian.",
    ),
    "queue_max_veh": Text(
        "The largest number of halted vehicles at any intersection at any sampled time.",
        "Số xe đang dừng lớn nhất tại một nút giao, trong mọi thời điểm lấy mẫu.",
    ),
    "queue_p95_veh": Text(
        "95 % of the samples of all intersections are at most this.",
        "95 % số mẫu của mọi nút giao không vượt quá giá trị này.",
    ),
    "loaded": Text(
        "All vehicles of the demand within the measured time: arrived + on the road + never inserted + dropped.",
        "Mọi xe trong nhu cầu ở thời gian đo; bằng đã đến + còn trên đường + chưa vào được + bị loại bỏ.",
    ),
    "simulated": Text(
        "Vehicles in the simulation; all other counts are real vehicles, of which one of them may represent several.",
        "Số xe trong mô phỏng; mọi con số khác là xe thực, một xe mô phỏng có thể đại diện cho nhiều xe thực.",
    ),
    "arrived": Text("Vehicles that finished their trip.", "Số xe đã đến nơi."),
    "running": Text(
        "Vehicles still on the road when the run ended.", "Số xe còn trên đường khi lượt chạy kết thúc."
    ),
    "waiting": Text(
        "Vehicles not inserted by the end for lack of space: the backlog outside the network.",
        "Số xe đến cuối vẫn không có chỗ để vào: phần dồn ứ ngoài mạng.",
    ),
    "lost": Text(
        "Vehicles that SUMO discarded or removed from the network.",
        "Số xe bị SUMO bỏ khỏi danh sách hoặc khỏi mạng.",
    ),
    "before_begin": Text(
        "Vehicles of the route files that depart before the begin; SUMO does not simulate them.",
        "Số xe trong tệp lộ trình khởi hành trước lúc bắt đầu; SUMO không mô phỏng chúng.",
    ),
    "teleports": Text(
        "Number of vehicles teleported by SUMO after standing still too long.",
        "Số lần SUMO nhấc một xe đứng yên quá lâu đi chỗ khác.",
    ),
    "collisions": Text(
        "Collisions that SUMO registered.",
        "Số va chạm SUMO ghi nhận.",
    ),
    "emergency_brakings": Text(
        "Decelerations above the normal deceleration of a driver.",
        "Số lần phanh gấp hơn mức phanh thông thường.",
    ),
    "fallbacks": Text(
        "Intersections that fell back to their fixed plan because the controller failed, was refused or was too slow.",
        "Số nút mà bộ điều khiển bị lỗi, bị từ chối hoặc quá chậm: phương án cố định đã thay thế.",
    ),
    "walkers": Text(
        "Persons with a walk on their trip.",
        "Số người có đi bộ trên hành trình.",
    ),
    "walk_wait_s": Text(
        "Waiting time of pedestrians, mean over all of them, arrived or not.",
        "Thời gian người đi bộ đứng chờ, trung bình trên mọi người, kể cả người chưa đến.",
    ),
    "walk_wait_max_s": Text(
        "The longest total waiting time of one pedestrian.",
        "Tổng thời gian đứng chờ dài nhất của một người đi bộ.",
    ),
    "co2_kg": Text(
        "CO2 of all vehicles by SUMO's emission model.",
        "CO2 của mọi xe theo mô hình phát thải của SUMO.",
    ),
    "fuel_kg": Text(
        "Fuel of all vehicles by SUMO's emission model.",
        "Nhiên liệu của mọi xe theo mô hình phát thải của SUMO.",
    ),
}
"""By the name of the metric in denxanh.sim.metrics."""
